/** The changes of one table as a source. Sources of a pipeline that name the same slot read it together. */
import { MillraceError } from "../../../data/fault.ts";
import type { Source, SourceReader } from "../../../engine/contracts.ts";
import type { World } from "../../../ports/mod.ts";
import { placeOf } from "../../sql/address.ts";
import { ChangeFeed } from "./change_feed.ts";
import { ChangeReader } from "./change_reader.ts";
import type { ChangesPlan } from "./plan_changes.ts";
import type { ShapeOptions } from "./table_shape.ts";

/** What the sources of one world read at the moment, by slot. */
const feedsOfWorlds = new WeakMap<World, Map<string, OpenFeed>>();
interface OpenFeed {
  readonly feed: ChangeFeed;
  /** What all its sources must say alike. */
  readonly terms: string;
}

export class ChangesSource implements Source {
  constructor(private readonly world: World, private readonly plan: ChangesPlan, private readonly shape: ShapeOptions) {}

  partitions(): Promise<number> {
    return Promise.resolve(1);
  }

  reader(): Promise<SourceReader> {
    const { world, plan: { source, until, truncate, deletes, copyFolder }, shape } = this;
    const feed = this.#feed();
    const copy = copyFolder === null ? null : { files: world.files, folder: copyFolder, source };
    const member = feed.join({ source, shape, copy, until, truncate });
    return Promise.resolve(new ChangeReader({ clock: world.clock, source, deletes }, feed, member));
  }

  /** It may hold more by the time it is read again. */
  identity(): Promise<string> {
    return Promise.resolve("");
  }

  /** A reader that is opened again is that of a lane that was dropped: all of its tables begin again. */
  #feed(): ChangeFeed {
    const { world, plan: { address, slot, source } } = this;
    const feeds = feedsOfWorlds.get(world) ?? new Map<string, OpenFeed>();
    feedsOfWorlds.set(world, feeds);
    const key = `${placeOf(address)} ${slot.slot}`;
    const terms = JSON.stringify([address, slot]);
    const open = feeds.get(key);
    if (open && !open.feed.isClosed && !open.feed.hasMember(source)) {
      if (open.terms === terms) return open.feed;
      throw new MillraceError("slot_terms", `"${source}" reads the slot ${slot.slot} on other terms than another source of it`, {
        hint: "sources of one slot share its connection, publication and create",
      });
    }
    open?.feed.close();
    const feed = new ChangeFeed({ world, address, slot });
    feeds.set(key, { feed, terms });
    return feed;
  }
}

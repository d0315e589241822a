/** Word lists of the generated people, shops and places; invented, and any likeness is chance. */
import { fragment } from "../line_writer.ts";

/** Given names. */
export const FIRST_NAMES = (
  "Ada Bela Cleo Dario Edda Fenn Greta Hollis Ines Jory Kaia Lorne Mabel Nico Odile Perrin Quill Rosa Soren Tamsin Ulla Vito Wren " +
  "Xenia Yara Zeno Alba Bruno Cora Dex Elio Faye"
).split(" ");
/** Family names, of merchants too. */
export const LAST_NAMES = (
  "Alderbrook Birchfield Cranmore Dunleavy Eastwick Fairhaven Glenrock Harrowgate Ironside Juniper Kestrel Larkspur Maplesden " +
  "Northolt Oakhurst Pemberly Quarrier Ravenel Stonebridge Thornbury Underhill Vantongeren Whitlock Yarrow Ashdown Bellweather " +
  "Copperfield Driftwood Elmsworth Foxglove Greywater Hazelton"
).split(" ");
/** Street names with their kinds. */
export const STREETS = (
  "Acorn Beacon Cedar Dogwood Echo Fern Garnet Hickory Iris Jasper Kiln Linden Meadow Nutmeg Orchard Pebble Quarry River Spruce " +
  "Tulip Upland Valley Willow Yonder Zephyr"
).split(" ").flatMap((name) => ["Street", "Avenue", "Lane", "Road"].map((kind) => `${name} ${kind}`));
const TRADES = [
  "Bakery",
  "Books",
  "Cycles",
  "Diner",
  "Electric",
  "Florist",
  "Garage",
  "Hardware",
  "Market",
  "Optics",
  "Pharmacy",
  "Toys",
];

/** A town, its state and the first digit of its ZIP codes. */
export interface Town {
  readonly name: string;
  readonly firstDigit: number;
}
const NEW_YORK = (
  "Albany,Binghamton,Bronx,Brooklyn,Buffalo,Cheektowaga,Ithaca,New York,Niagara Falls,Queens,Rochester,Schenectady,Staten Island," +
  "Syracuse,Troy,Utica,White Plains,Yonkers"
).split(",");
/** Towns where customers live and mostly shop. */
export const HOME_TOWNS: readonly Town[] = NEW_YORK.map((name) => ({ name: `${name}, NY`, firstDigit: 1 }));
/** Made-up towns elsewhere; one of them has ZIP codes that begin like those at home. */
export const FAR_TOWNS: readonly Town[] = [
  { name: "Saltmarsh, NJ", firstDigit: 0 },
  { name: "Maple Notch, VT", firstDigit: 0 },
  { name: "Prairie Rest, IL", firstDigit: 6 },
  { name: "Slate Hollow, PA", firstDigit: 1 },
  { name: "Cobble Harbor, MA", firstDigit: 0 },
  { name: "Dry Fork, TX", firstDigit: 7 },
  { name: "Mill Quay, CT", firstDigit: 0 },
  { name: "Poppy Bay, CA", firstDigit: 9 },
];

/** Merchant names as they stand in a CSV file; about a third hold commas and are quoted. */
export const MERCHANTS: readonly Uint8Array[] = LAST_NAMES.flatMap((name, index) => {
  const second = LAST_NAMES[(index * 7 + 3) % LAST_NAMES.length];
  const third = LAST_NAMES[(index * 11 + 5) % LAST_NAMES.length];
  const trade = TRADES[index % TRADES.length];
  return [`${name} ${trade}`, `${name}-${second}`, `"${name}, ${second} and ${third}"`].map(fragment);
});

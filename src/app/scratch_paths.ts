/**
 * A project's paths taken into another folder. Invariant: `originalPath` gives back what was taken, and nothing that comes out of
 * `relocated` lies outside the folder, however the path was written.
 */

/** Names the folder to a process that a proof starts, and so to that process's threads. */
export const SCRATCH_VARIABLE = "MILLRACE_SCRATCH";

const ABSOLUTE = "root";
const RELATIVE = "here";
/** Stands for a leading "..", which would leave the folder. */
const UP = "_up";

/** Addresses ("s3://...") are no paths and stay. */
export function relocated(folder: string, path: string): string {
  if (path.includes("://")) return path;
  const steps: string[] = [];
  for (const step of path.split("/")) {
    if (step === "" || step === ".") continue;
    const last = steps.at(-1);
    if (step !== "..") steps.push(step);
    else if (last !== undefined && last !== UP) steps.pop();
    else if (!path.startsWith("/")) steps.push(UP);
  }
  return [folder, path.startsWith("/") ? ABSOLUTE : RELATIVE, ...steps].join("/");
}

/** What the names of a scratch folder's own begin with at servers: of its last two steps, small letters, digits and "_" only. */
export function namePrefix(folder: string): string {
  return `${folder.split("/").slice(-2).join("_").toLowerCase().replace(/[^a-z0-9]+/g, "_")}_`;
}

/** The path that was written, without its dots; null for one that was not taken here. */
export function originalPath(folder: string, path: string): string | null {
  const absolute = `${folder}/${ABSOLUTE}/`;
  const relative = `${folder}/${RELATIVE}/`;
  if (path.startsWith(absolute)) return `/${path.slice(absolute.length)}`;
  if (!path.startsWith(relative)) return null;
  return path.slice(relative.length).split("/").map((step) => step === UP ? ".." : step).join("/");
}

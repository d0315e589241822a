/** The order in which a Java HashMap gives out its text keys, which decides the ties of AS-RUN. */

const spread = (text: string): number => {
  let hash = 0;
  for (let at = 0; at < text.length; at++) hash = (Math.imul(31, hash) + text.charCodeAt(at)) | 0;
  return (hash ^ (hash >>> 16)) >>> 0;
};

/** `keys` in order of insertion; sorted by bucket, and within one by insertion. */
export function javaOrder(keys: readonly string[]): string[] {
  let buckets = 16;
  while (keys.length > buckets * 0.75) buckets *= 2;
  return keys.map((key, place) => ({ key, place, bucket: spread(key) % buckets }))
    .sort((a, b) => a.bucket - b.bucket || a.place - b.place)
    .map(({ key }) => key);
}

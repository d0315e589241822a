/** Waits for all, then throws the first fault: nothing of this owner may be under way when the lane is taken over again. */
export async function waitForAll<T>(promises: readonly Promise<T>[]): Promise<T[]> {
  const settled = await Promise.allSettled(promises);
  return settled.map((one) => {
    if (one.status === "rejected") throw one.reason;
    return one.value;
  });
}

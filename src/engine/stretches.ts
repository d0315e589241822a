/** Neighbours that are alike, together and in their order: each stretch as long as it can be, none empty. */
export function stretches<Item>(items: readonly Item[], isAlike: (first: Item, other: Item) => boolean): readonly (readonly Item[])[] {
  const found: Item[][] = [];
  for (let from = 0, to = 1; to <= items.length; to++) {
    if (to < items.length && isAlike(items[from], items[to])) continue;
    found.push(items.slice(from, to));
    from = to;
  }
  return found;
}

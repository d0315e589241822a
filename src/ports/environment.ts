/** Environment variables. */
export interface Environment {
  get(name: string): string | undefined;
}

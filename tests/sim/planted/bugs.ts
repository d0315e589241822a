export interface PlantedBug {
  readonly name: string;
  readonly file: string;
  readonly find: string;
  readonly replace: string;
  readonly seedsMax: number;
}
export const PLANTED_BUGS: readonly PlantedBug[] = [];

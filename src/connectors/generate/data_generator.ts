/** What a generator of data sets is: a pure function from sizes and a seed to files. */

/** One file of a data set; its chunks can be read once. */
export interface GeneratedFile {
  readonly name: string;
  readonly chunks: Iterable<Uint8Array>;
}
/** How much to make. */
export interface GeneratorOptions {
  readonly customers: number;
  readonly transactions: number;
  /** Any whole number; the same seed gives the same bytes. */
  readonly seed: number;
}
/** A named kind of data set. */
export interface DataGenerator {
  /** One sentence for `--help`. */
  readonly summary: string;
  /** They give the data set in `datasets/NAME`. */
  readonly defaults: GeneratorOptions;
  generate(options: GeneratorOptions): readonly GeneratedFile[];
}

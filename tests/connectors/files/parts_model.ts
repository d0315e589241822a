/** Which rows share a file, written down once more without anything of src/: the oracle of the tests of `publish = "parts"`. */

export interface ModelEpoch {
  readonly epoch: number;
  readonly timeMicros: number;
  /** Rows as [folder, id], in the order of their arrival. */
  readonly rows: readonly (readonly [folder: string, id: number])[];
  /** The pipeline is stopped with this epoch. */
  readonly stopping?: true;
}
export interface ModelRoll {
  readonly sizeBytes: number;
  readonly everyMicros: number;
  readonly filesMax: number;
}
export interface ModelFile {
  readonly folder: string;
  readonly firstEpoch: number;
  readonly lastEpoch: number;
  readonly ids: readonly number[];
}

export const rowText = (folder: string, id: number): string => `{"folder":"${folder}","id":${id}}\n`;

interface Open {
  readonly folder: string;
  readonly firstEpoch: number;
  readonly firstMicros: number;
  lastEpoch: number;
  bytes: number;
  readonly ids: number[];
}

/** The files of one lane's epochs, in the order in which they are shown; the input has ended behind the last. */
export function modelFiles(epochs: readonly ModelEpoch[], roll: ModelRoll): ModelFile[] {
  const shown: ModelFile[] = [];
  let open: Open[] = [];
  const show = (file: Open): void => {
    shown.push({ folder: file.folder, firstEpoch: file.firstEpoch, lastEpoch: file.lastEpoch, ids: file.ids });
    open = open.filter((other) => other !== file);
  };
  for (const { epoch, timeMicros, rows, stopping } of epochs) {
    for (const file of [...open]) if (timeMicros - file.firstMicros >= roll.everyMicros) show(file);
    for (const folder of new Set(rows.map(([name]) => name))) {
      const ids = rows.filter(([name]) => name === folder).map(([, id]) => id);
      const bytes = ids.reduce((sum, id) => sum + rowText(folder, id).length, 0);
      let file = open.find((one) => one.folder === folder);
      if (file && file.bytes + bytes > roll.sizeBytes) {
        show(file);
        file = undefined;
      }
      if (!file) {
        while (open.length >= roll.filesMax) show(open[0]);
        file = { folder, firstEpoch: epoch, firstMicros: timeMicros, lastEpoch: epoch, bytes: 0, ids: [] };
        open.push(file);
      }
      file.lastEpoch = epoch;
      file.bytes += bytes;
      file.ids.push(...ids);
    }
    if (stopping) { for (const file of [...open]) show(file); }
  }
  for (const file of [...open]) show(file);
  return shown;
}

import type { Result } from '../core/result.ts';

/** Files of the repository around the working folder, by their paths from its top; the working folder where there is none. */
export type ProjectFiles = {
  /** For messages. */
  readonly folder: string;
  /** Also a link, wherever it leads. */
  readonly exists: (path: string) => boolean;
  /** Null: there is no such file, or none that may be read; a link is none. */
  readonly read: (path: string) => string | null;
  /** Makes the folders that it needs; never goes through a link. An executable file may be run by everybody who may read it. */
  readonly write: (
    path: string,
    text: string,
    isExecutable: boolean,
  ) => Result<void, { readonly code: 'file-invalid'; readonly message: string }>;
};

/** What is checked out. `branch` null: none, as CI systems check out a commit alone. */
export type GitHead = {
  readonly commit: string;
  readonly branch: string | null;
  readonly tag: string | null;
};

/** A commit: its hash, and the first line of its message, which may be empty. */
export type GitCommit = { readonly id: string; readonly subject: string; readonly body: string };

/** The repository around the working folder. Every answer is null where there is none, no git, or no time. */
export type Git = {
  /** Whether there is a repository, without asking git. */
  readonly isHere: () => boolean;
  /** Where it is pushed to, as git knows it: it may carry credentials. */
  readonly address: () => Promise<string | null>;
  readonly head: () => Promise<GitHead | null>;
  /**
   * The commits that `to` has and `from` has not, newest first, at most `commitsMax` of them; null also where one of
   * the two is not here, as in a shallow clone. Both are hashes, whole or abbreviated.
   */
  readonly commitsBetween: (
    from: string,
    to: string,
    limits: { readonly commitsMax: number; readonly withinMs: number },
  ) => Promise<readonly GitCommit[] | null>;
};

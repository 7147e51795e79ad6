/** Something to know that is no error: said on stderr. */
export type Note = { readonly code: string; readonly message: string; readonly hint: string };

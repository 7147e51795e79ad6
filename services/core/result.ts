declare const brand: unique symbol;

/** A value that was parsed at the door and may travel under a domain name. */
export type Brand<Value, Name extends string> = Value & { readonly [brand]: Name };

/** An outcome whose failure is expected: a value with a `code`, never a throw. */
export type Result<Value, Problem> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly problem: Problem };

export const ok = <Value>(value: Value): { readonly ok: true; readonly value: Value } => ({
  ok: true,
  value,
});

export const fail = <Problem>(
  problem: Problem,
): { readonly ok: false; readonly problem: Problem } => ({ ok: false, problem });

/** Ends a subscription from within: trying the same again at once would not help. */
export class Halted extends Error {
  override readonly name = 'Halted';
}

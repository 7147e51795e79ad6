/** What is wrong with a request, with the place in it where that is known: `$.resourceMetrics is not a list`. */
export const requestFaultText = (problem: {
  readonly message: string;
  readonly path?: string;
}): string =>
  problem.path === undefined || problem.path === ''
    ? problem.message
    : `${problem.path} is ${problem.message}`;

// Addresses of people: the log is kept for ever, so what names a person is no more than the work needs. Names and
// logins are wanted (who deployed); where mail goes is not.

const address =
  /(?<![\w.%+/:-])([A-Za-z0-9][\w.%+-]{0,63})@((?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.){1,8}[A-Za-z]{2,24})(?![\w:/@-]|\.\w)/g;

/** Ends of what looks like an address and is none: units of systemd, hosts inside a network, versions. */
const endsElsewhere =
  /\.(?:service|timer|socket|mount|target|path|slice|scope|internal|local|localhost|cluster|lan|git|tgz|js|ts|json|rc|alpha|beta)$/i;
/** Accounts of machines and of services that hide a person's address. */
const machines = /(?:^|\.)(?:gserviceaccount\.com|noreply\.github\.com|example)$|^noreply\./i;
const machineNames = /^(?:no-?reply|git|bot|ci|build|builds|deploy|deployer|root|postgres|admin)$/i;

/** E-mail addresses without the name before the @, of which the first letter stays: `a…@example.com`. */
export const maskAddresses = (text: string): string =>
  text.includes('@')
    ? text.replace(address, (whole, user: string, host: string) =>
        user.length === 1 || isMachine(user, host) ? whole : `${user.slice(0, 1)}…@${host}`,
      )
    : text;

const isMachine = (user: string, host: string): boolean =>
  endsElsewhere.test(`.${host}`) ||
  machines.test(host) ||
  machineNames.test(user) ||
  user.endsWith('[bot]') ||
  /^v?[0-9]/.test(host);

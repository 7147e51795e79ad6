import { isPlaceholder, isVaried } from './found-secret.ts';

/** Whether what stands where a password would is one. */
export const isPasswordValue = (value: string): boolean =>
  value.length >= 4 && !isPlaceholder(value) && !isReference(value);

/** Whether a value looks drawn by chance, or made to be guessed by nobody. */
export const looksDrawn = (value: string): boolean =>
  value.length >= 8 &&
  isVaried(value) &&
  !isPlaceholder(value) &&
  !isReference(value) &&
  !isName(value) &&
  !constant.test(value) &&
  ((/[0-9]/.test(value) && /[a-z]/i.test(value)) ||
    (value.length >= 20 && /[a-z]/.test(value) && /[A-Z]/.test(value)));

/** Where a secret is kept is none: a path, an address without a password, the name of a variable. */
const isReference = (value: string): boolean =>
  (reference.test(value) && !addressWithPassword.test(value) && !base64Key.test(value)) ||
  member.test(value) ||
  (constant.test(value) && /(?:key|token|secret|passw|credential)[a-z_]*[!?;]*$/i.test(value)) ||
  call.test(value);

const reference =
  /^(?:\.{0,2}\/[\w.]|~\/|[a-z][a-z0-9+.-]{1,20}:(?:\/|[a-z])|projects\/|secrets?[./]|env[.:]|os\.environ\b|sha(?:256|512|1)[:-])/i;
const addressWithPassword = /^[a-z][a-z0-9+.-]{1,20}:\/\/[^\s/]{0,200}:[^\s/]{0,200}@/i;
/** One in sixty-four of AWS' and Azure's keys begins with a slash. */
const base64Key =
  /^(?=.{0,38}[0-9])(?=.{0,38}[A-Z])(?=.{0,38}[a-z])\/(?:[A-Za-z0-9+/]{39}|[A-Za-z0-9+/]{40,90}={1,2})$/;
/** `var.db_password`, `random_password.db.result`, `process.env.API_KEY`: what Terraform and programs name it by. */
const member =
  /^(?:var|local|data|module|each|self|process|os|config|settings|params|inputs|values|steps|needs|[a-z]{2,20}_[a-z_]{2,40})(?:\.[a-z_][\w-]{0,60}){1,6}(?:\[[^\]\s]{0,40}\]?)?$/i;

/** `BuildConfig.MAPS_API_KEY`, `this.authService.accessToken`, `credentials.maps_key!`: a program, too. */
const constant =
  /^(?:this|self|credentials|secrets|[A-Z][a-z]{1,20}(?:[A-Z][a-z]{1,20}){0,4})(?:[?!]?\.[A-Za-z_]{1,60}){1,6}[!?;]{0,2}$/;

/** `fs.readFileSync(…`, `foo(hey)`, `request.json_body[`: a program. */
const call = /^[a-z_]\w{0,40}(?:(?:\.[a-z_]\w{0,40}){1,6}[([]|\([^()]{0,80}\))/i;

/** Words and numbers with marks between them, in one case: names of things, versions, dates. */
const isName = (value: string): boolean =>
  !(/[A-Z][a-z]/.test(value) && /[0-9]/.test(value)) &&
  value
    .split(/[-_./:@+]/)
    .every((part) =>
      /^(?:[a-z]{0,24}|[A-Z]{0,24}|[A-Z][a-z]{1,24}|v?[0-9]{1,8}|[a-z]{2,16}(?:[0-9]{1,2}|20[0-9]{2}))$/.test(
        part,
      ),
    );

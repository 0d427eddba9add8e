/** ULIDs made inside a workflow: time and randomness are the run's own, so a replay makes the same ones. */
const digits = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

export function ulid(): string {
  let time = Date.now();
  let text = '';
  for (let index = 0; index < 10; index++) {
    text = digits.charAt(time % 32) + text;
    time = Math.floor(time / 32);
  }
  for (let index = 0; index < 16; index++) text += digits.charAt(Math.floor(Math.random() * 32));
  return text;
}

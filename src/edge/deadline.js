// Time limits for what may never answer.

export const TIMED_OUT = 2;

/** What `begin` gives, if it does so in time; a rejection otherwise. Nothing is left behind: a late answer is dropped. */
export function within(milliseconds, begin) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(reject, milliseconds, TIMED_OUT);
    const settle = (finish) => (outcome) => {
      clearTimeout(timer);
      finish(outcome);
    };
    begin().then(settle(resolve), settle(reject));
  });
}

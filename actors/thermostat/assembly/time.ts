/** Times as senders write them: seconds, or text such as `2010-07-01T14:00`, taken as UTC. */

import { Reader } from "../../sdk/assemblyscript/messagepack";
import { fail } from "../../sdk/assemblyscript/wapc";

/** Read a time and return it in seconds since 1970. */
export function readTime(reader: Reader): i64 {
  return reader.isText() ? secondsOf(reader.text()) : reader.integer();
}

/** Seconds since 1970 of `YYYY-MM-DDTHH:MM[:SS][Z]`; `/` and a space are fine as separators. */
function secondsOf(text: string): i64 {
  const day = daysOf(digits(text, 0, 4), digits(text, 5, 2), digits(text, 8, 2));
  const hour = digits(text, 11, 2);
  const minute = digits(text, 14, 2);
  const precise = text.length > 16 && text.charCodeAt(16) == 0x3a; // a colon
  const second = precise ? digits(text, 17, 2) : 0;
  const rest = text.substring(precise ? 19 : 16);
  if (hour > 23 || minute > 59 || second > 59 || (rest != "" && rest != "Z")) unreadable(text);
  return day * 86400 + hour * 3600 + minute * 60 + second;
}

/** The number that the `count` characters from `at` on write in decimal. */
function digits(text: string, at: i32, count: i32): i64 {
  let value: i64 = 0;
  for (let k = at; k < at + count; k++) {
    const digit = k < text.length ? text.charCodeAt(k) - 0x30 : -1;
    if (digit < 0 || digit > 9) {
      unreadable(text);
      return 0;
    }
    value = value * 10 + digit;
  }
  return value;
}

/** Days since 1970-01-01 in the Gregorian calendar, with years that start in March. */
function daysOf(year: i64, month: i64, day: i64): i64 {
  const y = month > 2 ? year : year - 1;
  const era = y / 400;
  const yearOfEra = y - era * 400;
  const dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
  return era * 146097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719468;
}

function unreadable(text: string): void {
  fail("time should be seconds or YYYY-MM-DDTHH:MM, not " + text);
}

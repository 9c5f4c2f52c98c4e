/**
 * Statements for the database that the link named `default` leads to, with text for parameters.
 *
 * The contract: actorhost/contracts/wit/sql.wit. Parameters are `$1`, `$2` and so on, on every database.
 */

import { Reader, Writer } from "./messagepack";
import { call } from "./wapc";

/** Run a statement that changes something; return how many rows it did change. */
export function execute(statement: string, parameters: string[]): i64 {
  const reply = new Reader(send("execute", statement, parameters));
  let changed: i64 = 0;
  if (reply.done()) return changed;
  for (let pairs = reply.map(); pairs > 0 && !reply.done(); pairs--) {
    if (reply.text() == "rows-affected") changed = reply.integer();
    else reply.skip();
  }
  return changed;
}

/** Run a statement that reads; return its rows, one after the other, and how many there are. */
export function query(statement: string, parameters: string[]): Rows {
  const reply = new Reader(send("query", statement, parameters));
  if (!reply.done()) {
    for (let pairs = reply.map(); pairs > 0 && !reply.done(); pairs--) {
      if (reply.text() == "rows") return new Rows(reply, reply.list());
      reply.skip();
    }
  }
  return new Rows(reply, 0);
}

/** The rows of a result: take `next`, then its values in order from `values`. */
export class Rows {
  constructor(public values: Reader, public left: u32) {}

  /** Go to the next row; false when there is none. */
  next(): bool {
    if (this.left == 0 || this.values.done()) return false;
    this.left--;
    this.values.list();
    return true;
  }
}

function send(operation: string, statement: string, parameters: string[]): ArrayBuffer {
  const request = new Writer();
  request.map(2);
  request.text("statement");
  request.text(statement);
  request.text("parameters");
  request.list(parameters.length);
  for (let k = 0; k < parameters.length; k++) request.text(parameters[k]);
  return call("default", "actorhost:sql", operation, request.written());
}

/**
 * Requests that an HTTP server hands to an actor (operation `handle` of actorhost:http), and answers.
 *
 * The contract: actorhost/contracts/wit/http.wit.
 */

import { Reader, Writer } from "./messagepack";

/** One request, as far as actors here look at it. */
export class Request {
  method: string = "";
  query: string = "";
  body: string = "";
  private parameters: Map<string, string> = new Map<string, string>();

  constructor(payload: ArrayBuffer) {
    const reader = new Reader(payload);
    for (let pairs = reader.map(); pairs > 0 && !reader.done(); pairs--) {
      const name = reader.text();
      if (name == "method") this.method = reader.text();
      else if (name == "query" && !reader.isNil()) this.query = reader.text();
      else if (name == "body") this.body = reader.text();
      else if (name == "parameters") this.readParameters(reader);
      else reader.skip();
    }
  }

  /** Return what the path has in the place of `{name}` in the route, empty if the route has no such place. */
  parameter(name: string): string {
    return this.parameters.has(name) ? this.parameters.get(name) : "";
  }

  private readParameters(reader: Reader): void {
    for (let count = reader.list(); count > 0 && !reader.done(); count--) {
      reader.list();
      const name = reader.text();
      this.parameters.set(name, reader.text());
    }
  }
}

/** Return the answer with `status` and a body of type `kind`, such as "application/json". */
export function answer(status: u32, kind: string, body: string): ArrayBuffer {
  const reply = new Writer();
  reply.map(3);
  reply.text("status");
  reply.integer(status);
  reply.text("headers");
  reply.list(1);
  reply.list(2);
  reply.text("content-type");
  reply.text(kind);
  reply.text("body");
  reply.body(String.UTF8.encode(body));
  return reply.written();
}

/**
 * A registry of devices over HTTP, kept in the SQL database the actor is linked to.
 *
 * Which database that is, where it runs and with which password is the manifest's affair; the same
 * module works on SQLite and PostgreSQL. The routes are /devices and /devices/{id}. Each message starts with
 * an empty heap (the `stub` runtime), nothing is collected or kept.
 */

import { Request, answer } from "../../sdk/assemblyscript/http";
import * as sql from "../../sdk/assemblyscript/sql";
import * as wapc from "../../sdk/assemblyscript/wapc";
import { Device, json, jsonList } from "./device";

const JSON_TYPE = "application/json";
const TEXT_TYPE = "text/plain; charset=utf-8";

/** Whether this instance has made sure that there is a table. */
let prepared = false;

export function __guest_call(operationSize: u32, payloadSize: u32): u32 {
  heap.reset();
  const message = wapc.receive(operationSize, payloadSize);
  if (message.operation != "handle") {
    wapc.fail("unknown operation " + message.operation);
    return wapc.respond(new ArrayBuffer(0));
  }
  const request = new Request(message.payload);
  return wapc.respond(wapc.failed() ? new ArrayBuffer(0) : handle(request));
}

function handle(request: Request): ArrayBuffer {
  prepare();
  const id = request.parameter("id");
  if (id.length == 0) return list(request);
  if (request.method == "PUT") return register(id, request.body);
  if (request.method == "DELETE") return remove(id);
  return show(id);
}

function prepare(): void {
  if (prepared) return;
  sql.execute(
    "create table if not exists devices (id text primary key, model text not null, updates bigint not null)", []);
  prepared = !wapc.failed();
}

function register(id: string, model: string): ArrayBuffer {
  if (model.length == 0) return answer(400, TEXT_TYPE, "the body is to name the device's model\n");
  sql.execute(
    "insert into devices (id, model, updates) values ($1, $2, 1)" +
    " on conflict (id) do update set model = excluded.model, updates = devices.updates + 1", [id, model]);
  return show(id);
}

function remove(id: string): ArrayBuffer {
  const removed = sql.execute("delete from devices where id = $1", [id]);
  return removed == 0 ? unknown(id) : answer(204, TEXT_TYPE, "");
}

function show(id: string): ArrayBuffer {
  const found = Device.all(sql.query("select id, model, updates from devices where id = $1", [id]));
  return found.length == 0 ? unknown(id) : answer(200, JSON_TYPE, json(found[0]) + "\n");
}

/** Answer with a hundred devices at most, those after `?after=ID`: a page, whose last id leads to the next. */
function list(request: Request): ArrayBuffer {
  const after = request.query.startsWith("after=") ? decodeURIComponent(request.query.substring(6)) : "";
  const rows = sql.query("select id, model, updates from devices where id > $1 order by id limit 100", [after]);
  return answer(200, JSON_TYPE, jsonList(Device.all(rows)) + "\n");
}

function unknown(id: string): ArrayBuffer {
  return answer(404, TEXT_TYPE, "there is no device " + id + "\n");
}

/** A device as it is kept and shown. */

import { Rows } from "../../sdk/assemblyscript/sql";

/** What is known of one device: its model, and how often it was registered. */
export class Device {
  constructor(public id: string, public model: string, public updates: i64) {}

  /** Return the devices in `rows`, whose columns are id, model and updates. */
  static all(rows: Rows): Device[] {
    const found: Device[] = [];
    while (rows.next()) {
      const id = rows.values.text();
      const model = rows.values.text();
      found.push(new Device(id, model, rows.values.integer()));
    }
    return found;
  }
}

/** Return `device` as JSON. */
export function json(device: Device): string {
  return '{"id": ' + quoted(device.id) + ', "model": ' + quoted(device.model) + ', "updates": '
    + device.updates.toString() + "}";
}

/** Return `devices` as a JSON list. */
export function jsonList(devices: Device[]): string {
  let text = "";
  for (let k = 0; k < devices.length; k++) text += (k == 0 ? "" : ", ") + json(devices[k]);
  return "[" + text + "]";
}

function quoted(text: string): string {
  let body = "";
  for (let k = 0; k < text.length; k++) {
    const code = text.charCodeAt(k);
    if (code == 0x22 || code == 0x5c) body += "\\" + text.charAt(k);
    else if (code < 0x20) body += "\\u00" + (code < 0x10 ? "0" : "1") + "0123456789abcdef".charAt(code & 15);
    else body += text.charAt(k);
  }
  return '"' + body + '"';
}

/**
 * HTTP requests of accounts (docs/protocol.md, "Accounts").
 *
 * Failed requests reject with a `RequestError`. Its code is `offline` without a response of the server, or with a response
 * that is not JSON.
 */

import { RequestError, problemError } from "./request_error.js";

/**
 * @typedef {object} Device
 * @property {number} id
 * @property {string} label
 * @property {number} createdAt ms since the epoch
 * @property {number} lastUsedAt ms since the epoch, to the hour
 * @property {boolean} current The device of the token of this request.
 */

/**
 * Create an account.
 * @param {{account: string, password: string, nickName?: string, invite?: string}} fields
 * @param {string} [guestKey] Guest whose messages and member id the account takes over.
 * @returns {Promise<{account: string, token: string}>}
 */
export function register(fields, guestKey) {
  return request("POST", "accounts", { body: fields, authorization: guestKey ? `Guest ${guestKey}` : "" });
}

/**
 * Log in on this device.
 * @param {{account: string, password: string, label: string}} fields
 * @returns {Promise<{account: string, token: string}>}
 */
export function logIn(fields) {
  return request("POST", "sessions", { body: fields });
}

/**
 * Revoke the token of this device.
 * @param {string} token
 */
export function logOut(token) {
  return request("DELETE", "sessions/current", { token });
}

/**
 * Return the profile of the account.
 * @param {string} token
 * @returns {Promise<{account: string, nickName: string, about: string}>}
 */
export function readProfile(token) {
  return request("GET", "me", { token });
}

/**
 * Change the profile of the account.
 * @param {string} token
 * @param {{about: string}} fields
 */
export function changeProfile(token, fields) {
  return request("PATCH", "me", { token, body: fields });
}

/**
 * List the devices of the account.
 * @param {string} token
 * @returns {Promise<Device[]>}
 */
export async function listDevices(token) {
  const { sessions } = await request("GET", "sessions", { token });
  return sessions;
}

/**
 * Log out another device.
 * @param {string} token
 * @param {number} id
 */
export function revokeDevice(token, id) {
  return request("DELETE", `sessions/${id}`, { token });
}

/**
 * Change the password, which logs out all other devices.
 * @param {string} token
 * @param {{password: string, newPassword: string}} fields
 */
export function changePassword(token, fields) {
  return request("POST", "me/password", { token, body: fields });
}

/**
 * Delete the account.
 * @param {string} token
 * @param {{password: string, messages: "keep" | "delete"}} fields
 */
export function deleteAccount(token, fields) {
  return request("DELETE", "me", { token, body: fields });
}

/**
 * @param {string} method
 * @param {string} path Below `api/`.
 * @param {{body?: object, token?: string, authorization?: string}} options
 * @returns {Promise<any>} Body of the response; null without one.
 */
async function request(method, path, { body, token, authorization = token ? `Bearer ${token}` : "" }) {
  const headers = new Headers();
  if (body) headers.set("Content-Type", "application/json");
  if (authorization) headers.set("Authorization", authorization);
  let response;
  let content;
  try {
    response = await fetch(new URL(`api/${path}`, document.baseURI), { method, headers, body: body && JSON.stringify(body) });
    content = response.status === 204 ? null : await response.json();
  } catch (error) {
    throw new RequestError("offline", { message: String(error) });
  }
  if (response.ok) return content;
  throw problemError(content);
}

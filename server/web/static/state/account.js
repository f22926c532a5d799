/**
 * Account of this browser.
 *
 * - All tabs share the account; its token is a secret in local storage.
 * - A token is stored until a logout, or until the server rejects it.
 */

import { localStore } from "./storage.js";

/**
 * @typedef {object} StoredAccount
 * @property {string} account Account name.
 * @property {string} nickName
 * @property {string} token
 */

/** Storage key of the account. */
export const ACCOUNT_KEY = "account";

/**
 * Return the account of this browser; null for a guest.
 * @returns {StoredAccount | null}
 */
export function storedAccount() {
  return localStore.get(ACCOUNT_KEY);
}

/**
 * Store the account for all tabs, in place of another one; without effect on open sessions of this tab.
 * @param {StoredAccount} account
 */
export function storeAccount(account) {
  localStore.set(ACCOUNT_KEY, account);
}

/**
 * Delete the stored account unless another tab has stored another token in the meantime.
 * @param {string} token Rejected or revoked token.
 */
export function forgetAccount(token) {
  if (storedAccount()?.token === token) localStore.remove(ACCOUNT_KEY);
}

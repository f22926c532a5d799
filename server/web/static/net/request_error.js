const TEMPORARY_CODES = new Set(["rate_limited", "unavailable", "internal"]);

/** Failed request; `code` is a protocol error code, `offline` if no response arrived, or `room_deleted`. */
export class RequestError extends Error {
  /**
   * @param {string} code
   * @param {object} [details]
   * @param {string} [details.reason] Stable identifier of the cause, the key of the translation.
   * @param {Record<string, string | number>} [details.params] Parameters of the reason.
   * @param {string} [details.message] English description for logs.
   * @param {number} [details.retryAfter] Seconds until a retry can succeed.
   */
  constructor(code, { reason = "", params = {}, message = reason || code, retryAfter } = {}) {
    super(message);
    this.code = code;
    this.reason = reason;
    this.params = params;
    this.retryAfter = retryAfter;
  }

  /** True for an error of the server after which the unchanged request can succeed; false for `offline`. */
  get isTemporary() {
    return TEMPORARY_CODES.has(this.code);
  }
}

/**
 * Return the error of an HTTP response.
 * @param {any} problem Problem details (RFC 9457), as received; null without a JSON body.
 */
export function problemError(problem) {
  const { code = "internal", reason, params, detail, retryAfter } = problem ?? {};
  return new RequestError(code, { reason, params, message: detail, retryAfter });
}

/**
 * Rethrow an error that is not a RequestError, because it is a bug.
 * @param {unknown} error
 * @returns {RequestError} The unchanged error.
 */
export function requireRequestError(error) {
  if (error instanceof RequestError) return error;
  throw error;
}

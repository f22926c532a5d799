/** Failed request; `code` is a protocol error code, or `offline` if no response arrived. */
export class RequestError extends Error {
  /**
   * @param {string} code
   * @param {string} [message] English description for logs.
   * @param {number} [retryAfter] Seconds until a retry can succeed.
   */
  constructor(code, message = code, retryAfter = undefined) {
    super(message);
    this.code = code;
    this.retryAfter = retryAfter;
  }
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

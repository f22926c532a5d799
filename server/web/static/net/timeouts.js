/** Time limits of the connection in seconds; the same values as in the terminal client. */

export const CONNECT_TIMEOUT = 10;
export const RESPONSE_TIMEOUT = 10; // without a response or other traffic
export const JOIN_RETRY_DELAY = 1; // after a temporary join error without `retryAfter`

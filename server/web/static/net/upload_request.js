/** Upload of a file with its progress, which `fetch` does not report (docs/protocol.md, "Attachments"). */

import { RequestError, problemError } from "./request_error.js";

/**
 * Upload a file for messages of a room.
 * @param {object} options
 * @param {string} options.room
 * @param {File} options.file
 * @param {string} options.authorization Value of the header `Authorization`.
 * @param {(fraction: number) => void} options.onProgress Called with the uploaded part, 0 to 1.
 * @param {AbortSignal} options.signal Cancels the upload; the promise then stays pending.
 * @returns {Promise<any>} Description of the uploaded file, as received.
 * @throws {RequestError} The code is `offline` without a response of the server.
 */
export function uploadFile({ room, file, authorization, onProgress, signal }) {
  const url = new URL("api/uploads", document.baseURI);
  url.search = String(new URLSearchParams({ room, name: file.name }));
  const request = new XMLHttpRequest();
  request.open("POST", url);
  request.responseType = "json";
  request.setRequestHeader("Authorization", authorization);
  request.setRequestHeader("Content-Type", "application/octet-stream");
  signal.addEventListener("abort", () => request.abort());
  return new Promise((resolve, reject) => {
    request.upload.addEventListener("progress", ({ loaded, total }) => onProgress(total ? loaded / total : 0));
    request.addEventListener("error", () => reject(new RequestError("offline")));
    request.addEventListener("load", () => {
      if (request.status === 201) resolve(request.response);
      else reject(problemError(request.response));
    });
    request.send(file);
  });
}

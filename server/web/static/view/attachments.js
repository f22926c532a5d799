/**
 * Files of messages: images as previews, videos with a title image as players, other files as a line; images and lines
 * are links to the file.
 *
 * - Names and types are untrusted, and are inserted as text nodes only.
 * - The box of an image has its size before the image is loaded, so that the timeline does not move.
 * - A file receives its signed address near the viewport, and a new one if the address has expired.
 */

import { strings } from "../i18n/strings.js";
import { describeSize } from "../state/file_size.js";
import { createElement, createIcon, requireElement } from "./dom.js";
import { describeFile } from "./file_captions.js";

const MAX_WIDTH = 360; // px
const MAX_HEIGHT = 300; // px
const MIN_SIDE = 44; // px; touch target (WCAG 2.2, 2.5.5)
const FILE_LOAD_MARGIN = 800; // px

/** @typedef {import("../state/room_log.js").Attachment} Attachment */

/** Factory of the elements of files. */
export class AttachmentRenderer {
  #getAddresses;
  #loaders = new WeakMap(); // element → function that loads its content
  #observer = new IntersectionObserver((entries) => this.#onIntersect(entries), {
    root: requireElement("timeline"),
    rootMargin: `${FILE_LOAD_MARGIN}px 0px`,
  });

  /** @param {() => import("../state/attachment_addresses.js").AttachmentAddresses | null} getAddresses Returns those of the current session. */
  constructor(getAddresses) {
    this.#getAddresses = getAddresses;
  }

  /**
   * Return an element with the files of a message, which are loaded near the viewport.
   * @param {Attachment[]} attachments
   */
  render(attachments) {
    return createElement("div", "attachments", ...attachments.map((attachment) => this.#renderFile(attachment)));
  }

  #renderFile(attachment) {
    const link = this.#renderLink(attachment);
    return attachment.poster ? createElement("div", "video", this.#renderPlayer(attachment), link) : link;
  }

  /** Return the player of a video. The title image is loaded near the viewport, the video when its playback starts. */
  #renderPlayer({ name, path, poster }) {
    const player = createElement("video", "");
    player.controls = true;
    player.preload = "none";
    player.setAttribute("aria-label", name);
    const loadVideo = () => this.#load(path, (url) => (player.src = url));
    player.addEventListener("error", async () => {
      if (this.#getAddresses()?.find(path)) return; // the address is valid, so the video is damaged or unsupported
      const { currentTime } = player;
      player.autoplay = true; // continue the playback that failed
      await loadVideo();
      player.currentTime = currentTime;
    });
    this.#loadNearViewport(player, path, () => [this.#load(poster, (url) => (player.poster = url)), loadVideo()]);
    return player;
  }

  /** Return the link to a file, an image or a line of text. The address is loaded near the viewport and before a click. */
  #renderLink(attachment) {
    const { path } = attachment;
    const link = createElement("a", "attachment");
    link.rel = "noopener noreferrer";
    const loadAddress = () => this.#load(path, (url) => (link.href = url), () => showUnavailable(link, attachment));
    for (const event of ["pointerenter", "focus"]) link.addEventListener(event, loadAddress); // a middle click follows `href`
    link.addEventListener("click", (event) => this.#onClick(event, link, path, loadAddress));
    if (attachment.width && attachment.height) {
      const loadImage = this.#addImage(link, attachment);
      this.#loadNearViewport(link, path, () => [loadAddress(), loadImage()]);
    } else {
      addFileLine(link, attachment);
      this.#loadNearViewport(link, path, loadAddress);
    }
    return link;
  }

  /** Add the image to its link, and return the function that loads the image. */
  #addImage(link, attachment) {
    const { width, height } = displaySize(attachment);
    const path = attachment.preview || attachment.path;
    const image = createElement("img", "");
    image.alt = attachment.name;
    image.setAttribute("aria-label", describeFile(attachment));
    image.decoding = "async";
    link.classList.add("image");
    link.style.width = `${width}px`;
    link.style.aspectRatio = `${width} / ${height}`;
    link.title = describeFile(attachment);
    link.target = "_blank";
    link.append(image);
    const onFailed = () => showUnavailable(link, attachment);
    const loadImage = () => this.#load(path, (url) => (image.src = url), onFailed);
    let isRepeated = false;
    image.addEventListener("error", () => {
      if (isRepeated) return onFailed();
      isRepeated = true; // the address can have expired before the browser has loaded the image
      this.#getAddresses()?.forget(path);
      return loadImage();
    });
    return loadImage;
  }

  /** Load the content of an element near the viewport; at once with a known address, so that a replaced row does not flicker. */
  #loadNearViewport(element, path, load) {
    if (this.#getAddresses()?.find(path)) return load();
    this.#loaders.set(element, load);
    return this.#observer.observe(element);
  }

  #onIntersect(entries) {
    for (const { isIntersecting, target } of entries) {
      if (!isIntersecting) continue;
      this.#observer.unobserve(target);
      this.#loaders.get(target)?.();
    }
  }

  /** Load an address, and pass its URL to `onLoaded`; call `onUnavailable` without access. No effect without a session. */
  async #load(path, onLoaded, onUnavailable = () => {}) {
    const addresses = this.#getAddresses();
    if (!addresses) return;
    const url = toUrl(await addresses.load(path));
    if (url) onLoaded(url);
    else onUnavailable();
  }

  /** Follow a link with its current address; load a new one first if the address has expired. */
  async #onClick(event, link, path, loadAddress) {
    const url = toUrl(this.#getAddresses()?.find(path) ?? null);
    if (url) {
      link.href = url;
      return;
    }
    event.preventDefault();
    await loadAddress();
    if (link.href) link.click();
  }
}

function addFileLine(link, attachment) {
  const { name, type, size } = attachment;
  const details = createElement("span", "file-details", `${type} · ${describeSize(size)}`);
  const label = createElement("span", "visually-hidden", strings.file);
  link.classList.add("file");
  link.download = ""; // the server names the file
  link.append(createIcon("file"), label, " ", createElement("bdi", "file-name", name), " ", details, " ", createElement("span", "file-download", strings.download));
}

function showUnavailable(link, attachment) {
  link.removeAttribute("href");
  link.removeAttribute("style");
  link.className = "attachment unavailable";
  link.replaceChildren(`${describeFile(attachment)} ${strings.fileUnavailable}`);
}

/** Return the size of an image in CSS pixels, within the maximum size and with a minimum of `MIN_SIDE`. */
function displaySize({ width, height }) {
  const scale = Math.min(1, MAX_WIDTH / width, MAX_HEIGHT / height);
  return { width: Math.max(MIN_SIDE, Math.round(width * scale)), height: Math.max(MIN_SIDE, Math.round(height * scale)) };
}

/**
 * Return the absolute URL of a signed address of this server; empty for any other address.
 * @param {string | null} address
 */
function toUrl(address) {
  if (!address) return "";
  const { href } = new URL(address.replace(/^\/+/, ""), document.baseURI); // the page may be below a path of a reverse proxy
  return href.startsWith(new URL("api/uploads/", document.baseURI).href) ? href : "";
}

// Web application of the conversation dialect, written from docs/dialects.md alone: two people from registration to
// video. Lines on standard output request steps of terminals, and standard input answers them.
import assert from "node:assert/strict";
import { createInterface } from "node:readline";

const { io } = await import("socket.io-client-4.8.4");
const [url] = process.argv.slice(2);
const PNG = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
  "base64",
);
const VIDEO = Buffer.concat([Buffer.from("\0\0\0\x18ftypmp42\0\0\0\0mp42isom"), Buffer.alloc(5000)]);
const PASSWORD = "Aa1!correct horse";
const answers = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

/** Let the test run a step of a terminal client, and return the result of the step. */
async function runTerminal(step, values = {}) {
  process.stdout.write(JSON.stringify({ step, ...values }) + "\n");
  return JSON.parse((await answers.next()).value);
}

/** Send a request, and return status and body of the response. */
async function send(method, path, { token, body, form } = {}) {
  const headers = {};
  if (token) headers.Authorization = `Bearer ${token}`;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const response = await fetch(url + path, { method, headers, body: form ?? (body && JSON.stringify(body)) });
  return { status: response.status, body: await response.json() };
}

/** Send a request, check its success, and return its data. */
async function succeed(method, path, options) {
  const { status, body } = await send(method, path, options);
  assert.deepEqual({ ...body, data: null }, { status: 0, data: null, message: "success" }, JSON.stringify(body));
  assert.ok("data" in body);
  assert.equal(status, method === "POST" ? 201 : 200);
  return body.data;
}

/** Send a request, check its failure, and return the message; an undefined `message` is not compared. */
async function fail(expectedStatus, message, method, path, options) {
  const { status, body } = await send(method, path, options);
  assert.equal(status, expectedStatus, JSON.stringify(body));
  assert.deepEqual(Object.keys(body).sort(), ["message", "path", "status", "timestamp"]);
  assert.equal(body.status, expectedStatus);
  assert.equal(body.path, path.split("?")[0]);
  checkTime(body.timestamp);
  if (message !== undefined) assert.deepEqual(body.message, message);
  return body.message;
}

const checkTime = (text) => assert.match(text, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
const checkId = (id) => assert.ok(Number.isSafeInteger(id) && id > 0, String(id));

function checkKeys(value, required, optional = []) {
  const names = Object.keys(value);
  assert.deepEqual(required.filter((name) => !names.includes(name)), [], JSON.stringify(value));
  assert.deepEqual(names.filter((name) => !required.includes(name) && !optional.includes(name)), []);
}

function checkFile(file, type) {
  checkKeys(file, ["id", "name", "type", "url"]);
  checkId(file.id);
  assert.equal(file.type, type);
}

function checkUser(user, { isOwn = false } = {}) {
  const names = ["id", "username", "nickname", "createAt", "updateAt", ...(isOwn ? ["email"] : [])];
  checkKeys(user, names, ["avatarId", "avatar"]);
  checkId(user.id);
  checkTime(user.createAt);
  checkTime(user.updateAt);
  if (user.avatar) {
    checkFile(user.avatar, "avatar");
    assert.equal(user.avatar.id, user.avatarId);
  }
}

function checkGroup(group, extra = []) {
  const names = ["id", "name", "coverId", "cover", "createById", "createAt", "updateAt", ...extra];
  checkKeys(group, names, ["description"]);
  checkId(group.id);
  checkId(group.createById);
  checkFile(group.cover, "cover");
  assert.equal(group.cover.id, group.coverId);
  checkTime(group.createAt);
  checkTime(group.updateAt);
}

function checkMessage(message, type = 0) {
  const files = ["fileId", "file", "coverId", "cover"].slice(0, [0, 2, 4][type]);
  checkKeys(message, ["id", "type", "content", "groupId", "userId", "user", "createAt", "updateAt", ...files]);
  checkId(message.id);
  assert.equal(message.type, type);
  assert.equal(message.userId, message.user.id);
  checkUser(message.user);
  checkTime(message.createAt);
  checkTime(message.updateAt);
}

function checkConversation(conversation) {
  checkKeys(conversation, ["id", "userId", "groupId", "group", "lastMsgId", "unreadNum"], ["recentMsg"]);
  checkId(conversation.id);
  checkGroup(conversation.group);
  assert.equal(conversation.group.id, conversation.groupId);
  if (conversation.recentMsg) checkMessage(conversation.recentMsg, conversation.recentMsg.type);
}

function createForm(fields) {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) {
    if (Array.isArray(value)) form.append(name, new Blob([value[0]]), value[1]);
    else form.append(name, String(value));
  }
  return form;
}

async function checkDownload(file, type, size) {
  const response = await fetch(new URL(file.url, url));
  assert.equal(response.status, 200);
  assert.equal(response.headers.get("content-type"), type);
  const bytes = await response.arrayBuffer();
  if (size !== undefined) assert.equal(bytes.byteLength, size);
}

/** Return the text of a new captcha. */
async function readCaptcha(uid) {
  const response = await fetch(`${url}/api/auth/catpcha?uid=${uid}`);
  assert.equal(response.status, 200);
  const image = await response.text();
  assert.match(image, /^<svg /);
  const text = [...image.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map((match) => match[1]).join("");
  assert.equal(text.length, 4);
  return text;
}

/** Read a captcha, and return the options of a login request. */
async function createLogin(loginName, password = PASSWORD) {
  const code = await readCaptcha(loginName);
  return { body: { loginName, password, code, uid: loginName } };
}

class Socket {
  constructor(authorization, options = {}) {
    this.events = [];
    this.socket = io(url, { forceNew: true, reconnection: false, extraHeaders: { authorization }, ...options });
    this.socket.onAny((name, ...values) => this.events.push({ name, values }));
    this.disconnected = new Promise((resolve) => this.socket.on("disconnect", resolve));
    this.connected = new Promise((resolve, reject) => {
      this.socket.on("connect", resolve);
      this.socket.on("connect_error", reject);
    });
  }

  /** Wait for an event, at most about 20 seconds, and return its first value. */
  async waitFor(name, matches = () => true) {
    for (let attempt = 0; attempt < 2000; attempt++) {
      const event = this.events.find((event) => event.name === name && matches(...event.values));
      if (event) return event.values[0];
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    assert.fail(`no event ${name}: ${JSON.stringify(this.events)}`);
  }
}

const steps = {
  async "pages of the application"() {
    for (const path of ["/", "/groups/12", "/assets/none.js"]) {
      const response = await fetch(url + path);
      assert.equal(response.status, 200);
      assert.match(await response.text(), /<title>groups<\/title>/);
    }
    for (const path of ["/api/none", "/socket.io/none"]) assert.equal((await fetch(url + path)).status, 404);
  },

  async "registration and login"() {
    for (const path of ["/api/user", "/api/group/list", "/api/conversation/list", "/api/auth/logout"]) {
      await fail(401, "unauthorized", "GET", path);
      await fail(401, "unauthorized", "GET", path, { token: "ct_unknown" });
    }
    const email = "alice@example.com";
    assert.equal(await succeed("POST", "/api/auth/sendCode", { body: { email } }), null);
    await fail(406, undefined, "POST", "/api/auth/sendCode", { body: { email } });
    const alice = { username: "alice_1", email, password: PASSWORD, code: "123456" };
    const problems = await fail(400, undefined, "POST", "/api/auth/register", {
      body: { ...alice, username: "short", email: "none", password: "lower case" },
    });
    assert.equal(problems.filter((problem) => /^(username|email|password) /.test(problem)).length, problems.length);
    assert.ok(problems.length >= 5);
    for (const code of ["12345", "abcdef"]) {
      const body = { ...alice, code };
      await fail(406, "email verification code is incorrect", "POST", "/api/auth/register", { body });
    }
    assert.equal(await succeed("POST", "/api/auth/register", { body: { ...alice, subPassword: PASSWORD } }), null);
    await fail(406, "username already exists", "POST", "/api/auth/register", { body: alice });
    const bob = { username: "bobby_2", email: "bob@example.com", password: PASSWORD, code: "000000" };
    await succeed("POST", "/api/auth/register", { body: bob });

    const login = await createLogin("alice_1");
    await fail(406, "captcha error", "POST", "/api/auth/login", { body: { ...login.body, code: "....", uid: "other" } });
    await fail(406, "account does not exist", "POST", "/api/auth/login", await createLogin("nobody_9"));
    await fail(406, "wrong password", "POST", "/api/auth/login", await createLogin("alice_1", "Aa1!wrong"));
    for (const [name, loginName] of [["alice", "alice_1"], ["bob", "bob@example.com"]]) {
      const data = await succeed("POST", "/api/auth/login", await createLogin(loginName));
      checkKeys(data, ["token", "user"]);
      checkUser(data.user, { isOwn: true });
      people[name] = data;
    }
    assert.equal(people.alice.user.email, email);
  },

  async "profile"() {
    const { alice } = people;
    assert.equal(await succeed("POST", "/api/user", { token: alice.token, body: { nickname: "Alice" } }), null);
    await fail(406, "username already exists", "POST", "/api/user", { token: alice.token, body: { username: "bobby_2" } });
    await fail(400, undefined, "POST", "/api/user", { token: alice.token, body: { nickname: "A" } });
    await succeed("POST", "/api/user", { token: alice.token, body: { username: "alice_01" } });
    const avatarForm = () => ({ token: alice.token, form: createForm({ file: [PNG, "我.png"] }) });
    await fail(401, "unauthorized", "POST", "/api/user/avatar", { form: avatarForm().form });
    const text = createForm({ file: [Buffer.from("no picture"), "me.png"] });
    await fail(400, undefined, "POST", "/api/user/avatar", { token: alice.token, form: text });
    const large = createForm({ file: [Buffer.concat([PNG, Buffer.alloc(6e6)]), "me.png"] });
    await fail(413, undefined, "POST", "/api/user/avatar", { token: alice.token, form: large });
    await succeed("POST", "/api/user/avatar", avatarForm());
    const avatar = await succeed("POST", "/api/user/avatar", avatarForm());
    checkFile(avatar, "avatar");
    await checkDownload(avatar, "image/png");
    alice.user = await succeed("GET", "/api/user", { token: alice.token });
    assert.deepEqual([alice.user.avatarId, alice.user.avatar], [avatar.id, avatar]);
    await checkDownload(people.bob.user.avatar, "image/svg+xml; charset=utf-8");
    checkUser(alice.user, { isOwn: true });
    assert.deepEqual([alice.user.username, alice.user.nickname], ["alice_01", "Alice"]);
  },

  async "group"() {
    const { alice, bob } = people;
    const body = { name: "Tea club", coverId: await uploadCover(alice.token), description: "leaves and water" };
    await fail(400, undefined, "POST", "/api/group", { token: alice.token, body: { ...body, name: "T" } });
    await fail(406, undefined, "POST", "/api/group", { token: bob.token, body });
    group = await succeed("POST", "/api/group", { token: alice.token, body });
    checkGroup(group, ["inviteCode"]);
    assert.deepEqual([group.coverId, group.cover.name], [body.coverId, "tea.png"]);
    await checkDownload(group.cover, "image/png");
    assert.ok(group.inviteCode.length <= 32);
    assert.equal(group.createById, alice.user.id);
    const { users, ...details } = await succeed("GET", `/api/group/${group.id}`, { token: alice.token });
    assert.deepEqual(details, { ...group, updateAt: details.updateAt });
    assert.deepEqual(users.map((user) => user.id), [alice.user.id]);

    const messages = `/api/conversation/group/message/list?groupId=${group.id}`;
    await fail(406, "you are not in the group!", "GET", messages, { token: bob.token });
    await fail(406, "you are not in the group!", "GET", `/api/group/${group.id}`, { token: bob.token });
    const text = { groupId: group.id, content: "let me in" };
    await fail(406, "you are not in the group!", "POST", "/api/conversation/group/message/text", { token: bob.token, body: text });
    await fail(406, "invite code invalid", "GET", "/api/group/join/unknown", { token: bob.token });

    sockets.alice = new Socket(alice.token);
    sockets.bob = new Socket(bob.token, { transports: ["websocket"] });
    await Promise.all([sockets.alice.connected, sockets.bob.connected]);
    assert.equal(await succeed("GET", `/api/group/join/${group.inviteCode}`, { token: bob.token }), null);
    await fail(406, "you have already in the group", "GET", `/api/group/join/${group.inviteCode}`, { token: bob.token });
    const lists = await Promise.all(["alice", "bob"].map((name) => succeed("GET", "/api/group/list", { token: people[name].token })));
    assert.deepEqual(lists.map((list) => [list.owner.length, list.member.length]), [[1, 0], [0, 1]]);
    for (const listed of [...lists[0].owner, ...lists[1].member]) checkGroup(listed);
    const seen = await succeed("GET", `/api/group/${group.id}`, { token: bob.token });
    checkGroup(seen, ["users"]);
    assert.deepEqual(seen.users.map((user) => user.nickname), ["Alice", "bobby_2"]);
    for (const user of seen.users) checkUser(user);
  },

  async "text and unread messages"() {
    const { alice, bob } = people;
    const event = `group-message:${group.id}`;
    for (const content of ["one", "two", "第三"]) {
      const sent = await succeed("POST", "/api/conversation/group/message/text", {
        token: alice.token,
        body: { groupId: String(group.id), content },
      });
      checkMessage(sent);
      assert.deepEqual([sent.content, sent.groupId, sent.userId], [content, group.id, alice.user.id]);
      for (const socket of [sockets.alice, sockets.bob]) {
        assert.deepEqual(await socket.waitFor(event, (message) => message.id === sent.id), sent);
      }
    }
    const tooLong = { groupId: group.id, content: "x".repeat(5001) };
    const texts = "/api/conversation/group/message/text";
    await fail(400, undefined, "POST", texts, { token: alice.token, body: tooLong });
    await succeed("POST", texts, { token: alice.token, body: { groupId: group.id, content: "語".repeat(5000) } });
    const list = `/api/conversation/group/message/list?groupId=${group.id}`;
    const newest = await succeed("GET", `${list}&size=2`, { token: bob.token });
    assert.deepEqual(newest.map((message) => message.content.length), [5000, 2]);
    const older = await succeed("GET", `${list}&cursorId=${newest[1].id}`, { token: bob.token });
    assert.deepEqual(older.map((message) => message.content), ["two", "one"]);
    older.forEach((message) => checkMessage(message));

    const [conversation] = await succeed("GET", "/api/conversation/list", { token: bob.token });
    checkConversation(conversation);
    assert.deepEqual([conversation.unreadNum, conversation.userId], [4, bob.user.id]);
    assert.deepEqual(conversation.recentMsg, newest[0]);
    sockets.bob.socket.emit("update-last-msg", { id: conversation.id, messageId: older[0].id });
    const moved = await sockets.bob.waitFor("update-last-msg");
    checkConversation(moved);
    assert.deepEqual([moved.id, moved.unreadNum, moved.lastMsgId], [conversation.id, 2, older[0].id]);
    const [own] = await succeed("GET", "/api/conversation/list", { token: alice.token });
    assert.deepEqual([own.unreadNum, own.lastMsgId], [0, newest[0].id]);
    assert.notEqual(own.id, conversation.id);
  },

  async "terminals in the group"() {
    const { alice, bob } = people;
    const event = `group-message:${group.id}`;
    const terminal = await runTerminal("join", { token: alice.token, account: alice.user.username, title: "Tea club" });
    assert.deepEqual(terminal.texts, ["one", "two", "第三", "語".repeat(5000)]);
    const sent = await runTerminal("send", { text: "from the terminal" });
    const received = await sockets.bob.waitFor(event, (message) => message.content === "from the terminal");
    checkMessage(received);
    assert.deepEqual([received.id, received.userId], [sent.id, alice.user.id]);
    const web = { groupId: group.id, content: "from the page" };
    const posted = await succeed("POST", "/api/conversation/group/message/text", { token: bob.token, body: web });
    assert.deepEqual(await runTerminal("receive", { entry_id: posted.id }), { text: "from the page", nickname: "bobby_2", files: [] });
    await runTerminal("edit", { text: "edited in the terminal" });
    const list = `/api/conversation/group/message/list?groupId=${group.id}`;
    const edited = (await succeed("GET", list, { token: bob.token })).find((message) => message.id === sent.id);
    assert.equal(edited.content, "edited in the terminal");
    assert.ok(edited.updateAt >= edited.createAt);
    await runTerminal("delete");
    assert.ok((await succeed("GET", list, { token: bob.token })).every((message) => message.id !== sent.id));

    await runTerminal("post as guest", { nickname: "Gast", text: "I am a guest" });
    const guest = await sockets.alice.waitFor(event, (message) => message.content === "I am a guest");
    checkMessage(guest);
    assert.equal(guest.user.nickname, "Gast");
    const { users } = await succeed("GET", `/api/group/${group.id}`, { token: alice.token });
    assert.deepEqual(users.map((user) => user.id).sort(), [alice.user.id, bob.user.id, guest.userId].sort());
    assert.ok(guest.userId !== alice.user.id && guest.userId !== bob.user.id);
  },

  async "images and videos"() {
    const { alice, bob } = people;
    const event = `group-message:${group.id}`;
    const images = "/api/conversation/group/message/image";
    const videos = "/api/conversation/group/message/video";
    const image = [PNG, "photo.png"];
    const empty = { token: bob.token, form: createForm({ groupId: 0 }) };
    await fail(400, ["groupId must be a positive integer", "file must be a file"], "POST", images, empty);
    const foreign = createForm({ file: image, groupId: 999 });
    await fail(406, "you are not in the group!", "POST", images, { token: bob.token, form: foreign });
    for (const fields of [{ file: image, groupId: group.id }, { groupId: group.id, file: image }]) {
      const sent = await succeed("POST", images, { token: bob.token, form: createForm(fields) });
      checkMessage(sent, 1);
      checkFile(sent.file, "image");
      assert.deepEqual([sent.fileId, sent.userId, sent.content], [sent.file.id, bob.user.id, ""]);
      assert.deepEqual(await sockets.alice.waitFor(event, (message) => message.id === sent.id), sent);
      await checkDownload(sent.file, "image/png");
      const received = await runTerminal("receive", { entry_id: sent.id });
      assert.deepEqual(received, { text: "", nickname: "bobby_2", files: ["image/png photo.png"] });
    }
    const large = createForm({ groupId: group.id, file: [Buffer.concat([PNG, Buffer.alloc(10 * 2 ** 20)]), "large.png"] });
    await fail(413, undefined, "POST", images, { token: bob.token, form: large });
    const refused = "this type of file is not accepted here";
    const noImage = createForm({ groupId: group.id, file: [VIDEO, "photo.png"] });
    await fail(400, refused, "POST", images, { token: bob.token, form: noImage });
    const fields = { file: [VIDEO, "clip.mp4"], coverFile: image, groupId: group.id };
    for (const wrong of [{ file: image }, { coverFile: fields.file }]) {
      const form = createForm({ ...fields, ...wrong });
      await fail(400, refused, "POST", videos, { token: bob.token, form });
    }
    const withoutCover = createForm({ file: fields.file, groupId: group.id });
    await fail(400, ["coverFile must be a file"], "POST", videos, { token: bob.token, form: withoutCover });
    const video = await succeed("POST", videos, { token: bob.token, form: createForm(fields) });
    checkMessage(video, 2);
    checkFile(video.file, "video");
    checkFile(video.cover, "cover");
    assert.deepEqual([video.fileId, video.coverId], [video.file.id, video.cover.id]);
    assert.deepEqual(await sockets.alice.waitFor(event, (message) => message.id === video.id), video);
    await checkDownload(video.file, "video/mp4", VIDEO.length);
    await checkDownload(video.cover, "image/png");
    const { files } = await runTerminal("receive", { entry_id: video.id });
    assert.deepEqual(files, ["video/mp4 clip.mp4"]);
    for (const [text, type] of [["look", 0], ["", 1]]) {
      const { id } = await runTerminal("send file", { text });
      const message = await sockets.bob.waitFor(event, (message) => message.id === id);
      checkMessage(message, type);
      if (type === 0) assert.match(message.content, /^look\nterminal\.png \/api\/uploads\/\S+$/);
      else await checkDownload(message.file, "image/png");
    }
    const list = `/api/conversation/group/message/list?groupId=${group.id}`;
    const listed = await succeed("GET", `${list}&size=11`, { token: alice.token });
    assert.deepEqual(listed.map((message) => message.type), [1, 0, 2, 1, 1, 0, 0, 0, 0, 0, 0]);
    assert.deepEqual(listed[2], video);
    assert.deepEqual(await succeed("GET", list, { token: alice.token }), listed.slice(0, 10));
  },

  async "groups joined later and new codes"() {
    const { alice, bob } = people;
    const coverId = await uploadCover(bob.token);
    const second = await succeed("POST", "/api/group", { token: bob.token, body: { name: "Coffee", coverId } });
    assert.ok(!("description" in second));
    await fail(406, undefined, "POST", `/api/group/${group.id}/invite`, { token: bob.token });
    const { inviteCode } = await succeed("POST", `/api/group/${second.id}/invite`, { token: bob.token });
    assert.notEqual(inviteCode, second.inviteCode);
    await fail(406, "invite code invalid", "GET", `/api/group/join/${second.inviteCode}`, { token: alice.token });
    await succeed("GET", `/api/group/join/${inviteCode}`, { token: alice.token });
    const body = { groupId: second.id, content: "hello" };
    const sent = await succeed("POST", "/api/conversation/group/message/text", { token: bob.token, body });
    assert.deepEqual(await sockets.alice.waitFor(`group-message:${second.id}`), sent);
    await sockets.bob.waitFor(`group-message:${second.id}`);
    const conversations = await succeed("GET", "/api/conversation/list", { token: alice.token });
    assert.deepEqual(conversations.map((conversation) => conversation.groupId), [second.id, group.id]);
  },

  async "sockets without a valid token"() {
    const rejected = new Socket("ct_unknown");
    await rejected.disconnected;
    assert.deepEqual(rejected.events, [{ name: "authFail", values: [] }]);
    const guest = new Socket("", { transports: ["polling", "websocket"] });
    await guest.connected;
    assert.deepEqual(guest.events, []);
    guest.socket.disconnect();
    const { alice } = people;
    assert.equal(await succeed("GET", "/api/auth/logout", { token: alice.token }), null);
    await sockets.alice.disconnected;
    assert.deepEqual(sockets.alice.events.at(-1), { name: "authFail", values: [] });
    await fail(401, "unauthorized", "GET", "/api/user", { token: alice.token });
  },
};

async function uploadCover(token) {
  const cover = await succeed("POST", "/api/group/cover", { token, form: createForm({ file: [PNG, "tea.png"] }) });
  checkFile(cover, "cover");
  return cover.id;
}

const people = {};
const sockets = {};
let group;
for (const [name, run] of Object.entries(steps)) {
  try {
    await run();
  } catch (error) {
    console.error(`step "${name}" failed`);
    throw error;
  }
}
process.exit(0);

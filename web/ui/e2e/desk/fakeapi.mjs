// What the fake door answers by HTTP, from what its bank knows.

export function api(f, request, response, path, query) {
  const { bank } = f;
  const answer = (status, body) => {
    response.writeHead(status, { "content-type": "application/json" });
    response.end(body === undefined ? "" : JSON.stringify(body));
  };
  const none = () => answer(404, { code: "not_found", message: "There is no such thing." });
  const [, check, blob] = /^checks\/([^/]+)\/evidence\/([^/]+)$/.exec(path) ?? [];
  if (check) {
    bank.looks.push({ check, blob, why: query.get("why") });
    const still = bank.stills[blob];
    if (!still || !query.get("why")) return none();
    response.writeHead(200, { "content-type": still.type });
    return response.end(still.bytes);
  }
  if (path === "role_links/look") return bank.guest ? answer(200, bank.guest) : none();
  const [, id, what, more] = /^tasks\/([^/]+)(?:\/([^/]+))?(?:\/(.+))?$/.exec(path) ?? [];
  const task = id && bank.tasks[id];
  if (id && !task) return none();
  if (task && what === "pictures") {
    response.writeHead(200, { "content-type": "image/png" });
    return response.end(more ? bank.picture : "");
  }
  if (task && what === "audio") {
    response.writeHead(200, { "content-type": "audio/wav" });
    return response.end(bank.audio);
  }
  switch (task ? what ?? "" : path) {
    case "me":
      return answer(200, { user: { name: bank.me.name, display: bank.me.display, roles: bank.me.roles, lang: "", totp: false, local: true }, csrf: "x", second_person: false });
    case "agent":
      return answer(200, { agent: bank.agent(), reasons: bank.reasons, dispositions: bank.dispositions, required: bank.required });
    case "check_policies":
      return answer(200, { policies: bank.policies });
    case "directory":
      return answer(200, bank.directory);
    case "voice/servers":
      return bank.voice ? answer(200, { servers: [] }) : none();
    case "":
      return answer(200, { task, decision: bank.decision, story: { events: bank.events(id), earlier: 0, answers: bank.views[id]?.answers ?? {} } });
    case "customer":
      return answer(200, { task, ...bank.view(id) });
    case "messages":
      return answer(200, { messages: (bank.messages[id] ?? []).filter((m) => m.rev > Number(query.get("since") ?? 0)), rev: Math.max(0, ...(bank.messages[id] ?? []).map((m) => m.rev)) });
    case "nodes":
      return answer(200, { nodes: bank.nodes });
    case "operations":
      return answer(200, { operations: bank.operations, by: ["chat", "sms"] });
    case "links":
      return answer(200, { links: bank.links[id] ?? [] });
    case "replies":
      return answer(200, { replies: bank.replies.filter((r) => `${r.name} ${r.text}`.includes(query.get("q") ?? "")) });
    case "ticket":
      return answer(200, bank.ticket);
    case "logout":
    case "me/lang":
      return answer(204);
  }
  return none();
}

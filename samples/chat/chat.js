const conversation = document.querySelector("#conversation");
const form = document.querySelector("#ask");
const question = document.querySelector("#question");
const messages = [];

// Text only: what a model or a tool says is never HTML.
function show(who, text) {
  const entry = document.createElement("li");
  entry.dataset.who = who;
  entry.textContent = text;
  conversation.append(entry);
  entry.scrollIntoView();
  return entry;
}

async function api(path, json) {
  const options = json && {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(json),
  };
  const response = await fetch(path, options);
  const value = await response.json();
  if (!response.ok) {
    throw new Error(value.error);
  }

  return value;
}

// A tool that changes something runs only after a click.
function allowed(entry) {
  return new Promise((resolve) => {
    for (const [label, answer] of [["Run", true], ["Do not run", false]]) {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = label;
      button.addEventListener("click", () => {
        entry.querySelectorAll("button").forEach((each) => each.remove());
        resolve(answer);
      });
      entry.append(document.createElement("br"), button);
    }
  });
}

async function execute(call, tools) {
  const { name, arguments: text } = call.function;
  const entry = show("Tool", `${name} ${text}`);
  const isReadOnly = tools.some((tool) => tool.name === name && tool.readOnly);
  if (!isReadOnly && !(await allowed(entry))) {
    return "The user did not allow this call.";
  }

  const result = await api("api/call", { name, arguments: JSON.parse(text || "{}") });
  entry.append(`\n${result}`);
  return result;
}

async function answer() {
  const tools = await api("api/tools");
  for (;;) {
    const message = await api("api/turn", { messages });
    messages.push(message);
    if (!message.tool_calls?.length) {
      show("Model", message.content);
      return;
    }

    for (const call of message.tool_calls) {
      messages.push({ role: "tool", tool_call_id: call.id, content: await execute(call, tools) });
    }
  }
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const before = messages.length;
  messages.push({ role: "user", content: question.value });
  show("You", question.value);
  form.querySelector("button").disabled = true;
  question.value = "";
  try {
    await answer();
  } catch (error) {
    messages.length = before; // a question that was not answered would confuse the next one
    show("Error", error.message);
  } finally {
    form.querySelector("button").disabled = false;
    question.focus();
  }
});

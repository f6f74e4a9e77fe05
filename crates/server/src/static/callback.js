// Shows what came back behind the # of the address, which no browser sends to a server.
const came = [...new URLSearchParams(location.hash.slice(1))];
const list = document.getElementById("fragment-facts");
for (const [name, value] of came) {
  const [term, code, said, text] = ["dt", "code", "dd", "code"].map((tag) => document.createElement(tag));
  code.textContent = name;
  text.textContent = value;
  text.className = "whole";
  term.append(code);
  said.append(text);
  list.append(term, said);
}
if (came.length > 0) {
  document.getElementById("fragment").hidden = false;
  document.getElementById("nothing")?.remove();
}

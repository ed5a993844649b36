// Check the size before sending, and show how far the upload is. Without this script the form
// works as any form does.
// Ask whether the chosen file has the right form; it stays chosen.
async function check(form) {
  const place = form.querySelector("[data-check-result]");
  delete form.dataset.sent;
  const body = new FormData(form);
  body.append("check", "1");
  const answer = await fetch(form.action, {
    method: "POST", body, headers: { Accept: "application/json" },
  }).then((response) => response.json()).catch(() => null);
  place.hidden = answer === null;
  if (answer === null) return;
  place.textContent = answer.said;
  place.className = `message message-${answer.fine ? "success" : "error"}`;
}

document.querySelectorAll("form[data-upload]").forEach((form) => {
  const input = form.querySelector("input[type=file]");
  input.addEventListener("change", () => {
    const tooLarge = input.files[0] && input.files[0].size > Number(form.dataset.max);
    input.setCustomValidity(tooLarge ? form.dataset.tooLarge : "");
    input.reportValidity();
  });
  form.addEventListener("submit", (event) => {
    if (event.defaultPrevented || !window.FormData) return;
    event.preventDefault();
    if (event.submitter?.name === "check") {
      check(form);
      return;
    }
    const bar = form.querySelector(".progress");
    const request = new XMLHttpRequest();
    request.open("POST", form.action);
    request.upload.addEventListener("progress", (progress) => {
      bar.hidden = false;
      bar.firstElementChild.style.width = `${(100 * progress.loaded) / progress.total}%`;
    });
    request.addEventListener("load", () => {
      if (request.responseURL && request.responseURL !== location.href) {
        location.assign(request.responseURL);
      } else {
        document.open();
        document.write(request.responseText);
        document.close();
      }
    });
    // The connection broke: send it the plain way; the key in the form keeps it one submission.
    request.addEventListener("error", () => form.submit());
    request.send(new FormData(form));
  });
});

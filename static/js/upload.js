// Check the size before sending, and show how far the upload is. Without this script the form
// works as any form does.
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

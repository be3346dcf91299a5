// Says of a browser that cannot show the classroom's screen that it is the browser, not the network. Plain old JavaScript, so that it can.
(function () {
  var lost = false;  // a script that did not come
  window.addEventListener("error", function (event) {
    if (event.target && event.target.tagName === "SCRIPT") lost = true;
  }, true);
  window.addEventListener("load", function () {
    var room = document.querySelector("[data-room]");
    if (room.getAttribute("data-started")) return;
    var states = room.querySelectorAll("[data-state]");
    for (var i = 0; i < states.length; i += 1) states[i].hidden = states[i].getAttribute("data-state") !== (lost ? "broken" : "old");
  });
}());

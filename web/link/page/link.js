// Takes the link's token out of the address bar and the history. The form on the page
// still has it; nothing else is done here.
if (/\/l\/[^/]+$/.test(location.pathname)) history.replaceState(null, "", "open");

// Libraries under us print what they send, codes and passwords too, when this variable asks for it; they look at it as they
// are loaded, so that it has to be gone before (Law 9).
delete process.env["DEBUG"];

// The network between a page and the server's media: a relay of UDP that can be cut. The
// page is told its port in the place of the server's.
import dgram from "node:dgram";

// relay takes what comes for a port of this machine; cut(true) drops all of it, both ways.
export async function relay(to) {
  const door = dgram.createSocket("udp4");
  const peers = new Map(); // the page's address, to a socket of ours
  let cut = false;
  let passed = 0;
  door.on("message", (data, from) => {
    const name = `${from.address}:${from.port}`;
    let own = peers.get(name);
    if (!own) {
      own = dgram.createSocket("udp4");
      own.on("message", (back) => {
        if (!cut) door.send(back, from.port, from.address);
      });
      own.on("error", () => {});
      peers.set(name, own);
    }
    if (cut) return;
    passed++;
    own.send(data, to, "127.0.0.1");
  });
  door.on("error", () => {});
  await new Promise((yes) => door.bind(0, "127.0.0.1", yes));
  return {
    port: door.address().port,
    cut: (on) => (cut = on),
    get passed() {
      return passed;
    },
    close() {
      for (const own of peers.values()) own.close();
      door.close();
    },
  };
}

// through has a page use the relay: it runs in the page before anything else.
export function through({ from, to }) {
  const Real = window.RTCPeerConnection;
  if (!Real) return;
  const set = Real.prototype.setRemoteDescription;
  Real.prototype.setRemoteDescription = function (d, ...rest) {
    const sdp = d?.sdp?.replaceAll(new RegExp(`(candidate:\\S+ \\d+ udp \\d+ \\S+ )${from}\\b`, "gi"), `$1${to}`);
    return set.call(this, sdp ? { type: d.type, sdp } : d, ...rest);
  };
}

// The other end of a page's connections, played by a second page of the same browser: it
// answers offers as the server does, shows drawn people, and counts what it gets.

// peer opens that page. Its browser must show real addresses (see browserArgs).
export async function peer(context, url) {
  const page = await context.newPage();
  await page.goto(url);
  await page.evaluate(() => {
    const connections = {};
    // person draws somebody who moves a little.
    const person = (n) => {
      const c = document.createElement("canvas");
      [c.width, c.height] = n === "display" ? [960, 600] : [640, 480];
      const g = c.getContext("2d");
      const colours = [["#86a7b5", "#31525d", "#e7c3a5"], ["#b5a186", "#5d4a31", "#d9a985"], ["#94b586", "#3c5d31", "#f0cfb4"]][n] ?? [];
      let t = 0;
      const draw = () => {
        t++;
        if (n === "display") {
          g.fillStyle = "#f4f6f7";
          g.fillRect(0, 0, 960, 600);
          g.fillStyle = "#31525d";
          g.fillRect(0, 0, 960, 60);
          g.font = "30px sans-serif";
          g.fillStyle = "#14282c";
          ["Transfer abroad", "To: M. Chen, Zürich", "Amount: 12,400.00 CHF", "Fee: 35.00 CHF"].forEach((s, i) => g.fillText(s, 60, 140 + i * 70));
          g.fillStyle = "#0b5c6b";
          g.fillRect(60, 440, 260 + (t % 20), 70);
          return;
        }
        g.fillStyle = colours[0];
        g.fillRect(0, 0, 640, 480);
        g.fillStyle = colours[1];
        g.beginPath();
        g.ellipse(320, 500, 190, 170, 0, 0, 7);
        g.fill();
        g.fillStyle = colours[2];
        g.beginPath();
        g.ellipse(320 + Math.sin(t / 8) * 6, 210, 85, 110, 0, 0, 7);
        g.fill();
        g.fillStyle = colours[1];
        for (const x of [290, 350]) g.fillRect(x + Math.sin(t / 8) * 6 - 7, 195, 14, 10);
        g.fillRect(300 + Math.sin(t / 8) * 6, 260, 40, 6 + (t % 6));
      };
      draw();
      setInterval(draw, 70);
      return c.captureStream(15).getVideoTracks()[0];
    };
    const tracks = {};
    const whole = (pc) => new Promise((ok) => (pc.iceGatheringState === "complete" ? ok() : pc.addEventListener("icegatheringstatechange", () => pc.iceGatheringState === "complete" && ok())));
    // answer takes an offer of the page's; show are the people in its slots.
    window.answer = async (name, sdp, show) => {
      let pc = connections[name];
      const fresh = (s) => /a=fingerprint:\S+ (\S+)/.exec(s)?.[1];
      if (!pc || fresh(pc.remoteDescription?.sdp ?? "") !== fresh(sdp)) {
        pc?.close();
        pc = connections[name] = new RTCPeerConnection();
        pc.ontrack = (e) => {
          const v = document.createElement(e.track.kind);
          v.autoplay = true;
          v.muted = e.track.kind === "video"; // what is not played is not measured
          v.srcObject = new MediaStream([e.track]);
          document.body.append(v);
        };
      }
      await pc.setRemoteDescription({ type: "offer", sdp });
      const slots = [];
      for (const [i, t] of pc.getTransceivers().entries()) {
        if (name.endsWith("voice")) {
          t.direction = "sendrecv";
          if (!tracks.sound) {
            const a = new AudioContext();
            const o = a.createOscillator();
            const quiet = a.createGain();
            quiet.gain.value = 0.05;
            const out = a.createMediaStreamDestination();
            o.connect(quiet).connect(out);
            o.start();
            tracks.sound = out.stream.getAudioTracks()[0];
          }
          await t.sender.replaceTrack(tracks.sound);
        } else if (i < 2) t.direction = i === 0 ? "recvonly" : "inactive";
        else {
          const who = show[i - 2];
          t.direction = "sendonly";
          if (who?.id === "loop:camera") await t.sender.replaceTrack(pc.getTransceivers()[0].receiver.track);
          else await t.sender.replaceTrack(who ? (tracks[who.as] ??= person(who.as)) : null);
          slots.push({ mid: t.mid, id: who?.id ?? "" });
        }
      }
      await pc.setLocalDescription();
      await whole(pc);
      return { sdp: pc.localDescription.sdp, slots };
    };
    // got is how many frames, and packets of sound, came from the page.
    window.got = async (name) => {
      let frames = 0;
      let sound = 0;
      let energy = 0;
      for (const s of (await connections[name]?.getStats())?.values() ?? []) {
        if (s.type !== "inbound-rtp") continue;
        if (s.kind === "video") frames += s.framesReceived ?? 0;
        else [sound, energy] = [s.packetsReceived, s.totalAudioEnergy ?? 0];
      }
      return { frames, sound, energy };
    };
    window.hangUp = (name) => connections[name]?.close();
  });
  return {
    answer: (name, sdp, show = []) => page.evaluate(([n, s, w]) => window.answer(n, s, w), [name, sdp, show]),
    got: (name) => page.evaluate((n) => window.got(n), name),
    hangUp: (name) => page.evaluate((n) => window.hangUp(n), name),
    close: () => page.close(),
  };
}

export const browserArgs = ["--disable-features=WebRtcHideLocalIpsWithMdns"];

// The shared screen of staff: the browser itself asks what is to be shown.

// shareScreen gives the track of what was chosen, or null if it was called off.
export async function shareScreen(media: MediaDevices | undefined = navigator.mediaDevices): Promise<MediaStreamTrack | null> {
  if (!media?.getDisplayMedia) return null;
  try {
    const stream = await media.getDisplayMedia({ video: { frameRate: { ideal: 10, max: 15 } }, audio: false });
    const track = stream.getVideoTracks()[0] ?? null;
    if (track) track.contentHint = "detail"; // letters stay sharp; it may move slowly
    return track;
  } catch {
    return null;
  }
}

export const canShareScreen = (): boolean => typeof navigator !== "undefined" && typeof navigator.mediaDevices?.getDisplayMedia === "function";

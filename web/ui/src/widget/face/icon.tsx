// The signs of the controls.
const paths = {
  mic: "M12 4a3 3 0 013 3v4a3 3 0 01-6 0V7a3 3 0 013-3zM6 11a6 6 0 0012 0M12 17v3",
  micOff: "M15 9.500V7a3 3 0 00-5.600-1.500M9 9v2a3 3 0 004.500 2.600M6 11a6 6 0 009.500 4.900M18 11a6 6 0 01-.5 2.400M12 17v3M4 4l16 16",
  camera: "M4 7h11v10H4zM15 11l5-3v8l-5-3",
  cameraOff: "M8 7h7v7M15 11l5-3v8l-4-2.400M13 17H4V7M4 4l16 16",
  flip: "M4 8h3l2-3h6l2 3h3v11H4zM9 12.500a3.200 3.200 0 015.700-.8M15 14.500a3.200 3.200 0 01-5.700.8M15 9.500v2.300h-2.300M9 17.500v-2.300h2.300",
  devices: "M5 7h8M17 7h2M5 12h2M11 12h8M5 17h6M15 17h4M13 7a2 2 0 104 0a2 2 0 10-4 0M7 12a2 2 0 104 0a2 2 0 10-4 0M11 17a2 2 0 104 0a2 2 0 10-4 0",
  voice: "M5 10v4M9 7v10M13 4v16M17 8v8M21 11v2",
  larger: "M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5",
  smaller: "M9 4v5H4M20 9h-5V4M15 20v-5h5M4 15h5v5",
  end: "M3 14.500c5-5.300 13-5.300 18 0l-2.800 2.500-3.700-1.500v-2.600a11 11 0 00-5 0v2.600L5.800 17z",
  done: "M5 13l4 4L19 7",
  left: "M20 12H5M11 6l-6 6 6 6",
  right: "M4 12h15M13 6l6 6-6 6",
  upwards: "M12 20V5M6 11l6-6 6 6",
  downwards: "M12 4v15M6 13l6 6 6-6",
  hand: "M8 12V6.500a1.500 1.500 0 013 0V11V5a1.500 1.500 0 013 0v6V7a1.500 1.500 0 013 0v8a6 6 0 01-6 6c-3 0-4.500-1.500-6-4l-2-3.500a1.400 1.400 0 012.400-1.500L8 14z",
  warn: "M12 4l9 16H3zM12 10v4M12 17h.01",
};

export function Icon({ name }: { name: keyof typeof paths }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" width="20" height="20" aria-hidden="true" focusable="false">
      <path d={paths[name]} fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round" />
    </svg>
  );
}

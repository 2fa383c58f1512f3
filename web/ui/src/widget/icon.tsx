// The icons, drawn here: the widget loads nothing.
const paths = {
  chat: "M4 5h16v11H9l-5 4z",
  close: "M6 6l12 12M18 6L6 18",
  more: "M5 11.500v1M12 11.500v1M19 11.500v1",
  send: "M4 12l16-7-6 16-3-6z",
  picture: "M4 5h16v14H4zM4 16l5-5 4 4 3-3 4 4M15 9h.01",
  phone: "M6 3h4l1.5 5-2.5 2a12 12 0 005 5l2-2.5 5 1.5v4c0 1-1 2-2 2C10.500 20 4 13.500 4 5c0-1 1-2 2-2z",
  down: "M12 4v12M6 11l6 6 6-6M5 20h14",
  back: "M14 6l-6 6 6 6",
  wait: "M12 7v5l3 2M12 3a9 9 0 100 18 9 9 0 000-18z",
  one: "M5 13l4 4L19 7",
  two: "M2 13l4 4 8-9M11 16l1 1 9-10",
  bad: "M12 7v6M12 17h.01M12 3a9 9 0 100 18 9 9 0 000-18z",
  face: "M4 7h11v10H4zM15 11l5-3v8l-5-3",
  out: "M10 5H5v14h14v-5M13 4h7v7M20 4l-9 9",
};

export function Icon({ name }: { name: keyof typeof paths }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" width="20" height="20" aria-hidden="true" focusable="false">
      <path d={paths[name]} fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round" />
    </svg>
  );
}

// The looks a page is seen in: desk and phone, light and dark, English and Chinese.
export async function looks(use) {
  for (const width of [1280, 390]) {
    for (const colorScheme of ["light", "dark"]) {
      for (const locale of ["en-GB", "zh-CN"]) {
        await use({ name: `${width}-${colorScheme}-${locale.slice(0, 2)}`, viewport: { width, height: width > 700 ? 800 : 844 }, colorScheme, locale });
      }
    }
  }
}

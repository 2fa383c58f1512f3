// A caller with only a telephone.
export async function beside() {}

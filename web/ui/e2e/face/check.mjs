// A specialist joins, and the identity check is passed.
export async function check() {}

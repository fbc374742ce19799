/** What all instances of a defective storage share, per world. */
export function perWorld<World extends object, Shared>(make: () => Shared): (world: World) => Shared {
  const all = new WeakMap<World, Shared>();
  return (world) => {
    const shared = all.get(world) ?? make();
    all.set(world, shared);
    return shared;
  };
}

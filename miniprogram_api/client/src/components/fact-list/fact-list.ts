// Names and values below one another: `[{ name, value }]`; one without a value is left out.
Component({
  properties: { facts: { type: Array, value: [] as { name: string; value: string }[] } },
});

-- Which secrets of its bake were looked for on an image's disk and found: names, never values. Empty where nobody looked.
alter table artifact add column secret_scan jsonb;

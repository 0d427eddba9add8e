source "file" "base" {
  target  = "/tmp/somewhere.img"
  content = "x"
}

build {
  sources = ["source.file.base"]
}

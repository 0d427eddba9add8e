package main

import (
	_ "embed"

	"github.com/go-openapi/strfmt"
	packer "github.com/hashicorp/hcp-sdk-go/clients/cloud-packer-service/stable/2023-01-01/client/packer_service"
	"github.com/klauspost/compress/zstd"
)

//go:embed base.cdx.json
var components []byte

const noComponents = `{"bomFormat":"CycloneDX","specVersion":"1.5","version":1,"components":[]}`

func compressed(text []byte) strfmt.Base64 {
	encoder, err := zstd.NewWriter(nil)
	if err != nil {
		panic(err)
	}
	return encoder.EncodeAll(text, nil)
}

func walkSbomsOfRunning(w *walk, bucket, fingerprint, build string) {
	upload := func(name string, body sbomBody) {
		step(w, name, w.packer.PackerServiceUploadSbom, &packer.PackerServiceUploadSbomParams{
			BucketName: bucket, Fingerprint: fingerprint, BuildID: build, Body: &body,
		})
	}
	upload("an SBOM", sbomBody{CompressedSbom: compressed(components), Format: cycloneDX, Name: "base-system"})
	upload("an SBOM without a name", sbomBody{CompressedSbom: compressed(components), Format: cycloneDX})
	upload("an SBOM without packages", sbomBody{CompressedSbom: compressed([]byte(noComponents)), Format: cycloneDX, Name: "empty"})
	upload("an SBOM that is none", sbomBody{CompressedSbom: []byte("not zstd"), Format: cycloneDX, Name: "broken"})
	w.seen.buildID = build
}

func walkSboms(w *walk) {
	build := w.seen.buildID
	step(w, "an SBOM after the build", w.packer.PackerServiceUploadSbom, &packer.PackerServiceUploadSbomParams{
		BucketName: "walk-base", Fingerprint: "base-1", BuildID: build,
		Body: &sbomBody{CompressedSbom: compressed(components), Format: cycloneDX, Name: "late-one"},
	})
	step(w, "SBOMs of a build", w.packer.PackerServiceListSboms, &packer.PackerServiceListSbomsParams{
		BucketName: "walk-base", Fingerprint: "base-1", BuildID: build,
	})
	step(w, "where an SBOM is", w.packer.PackerServiceGetSbom, &packer.PackerServiceGetSbomParams{
		BucketName: "walk-base", Fingerprint: "base-1", BuildID: build, SbomName: "base-system",
	})
	step(w, "an SBOM that is missing", w.packer.PackerServiceGetSbom, &packer.PackerServiceGetSbomParams{
		BucketName: "walk-base", Fingerprint: "base-1", BuildID: build, SbomName: "nobody",
	})
	step(w, "packages of a build", w.packer.PackerServiceListBuildPackages, &packer.PackerServiceListBuildPackagesParams{
		BucketName: "walk-base", Fingerprint: "base-1", BuildID: build, PackageNameStartsWith: to("open"),
	})
	step(w, "packages of a bucket", w.packer.PackerServiceListBucketPackages, &packer.PackerServiceListBucketPackagesParams{
		BucketName: "walk-base", PackageName: to("zlib"),
	})
	step(w, "a summary of vulnerabilities", w.packer.PackerServiceListBucketPackagesVulnerabilitySummary, &packer.PackerServiceListBucketPackagesVulnerabilitySummaryParams{
		BucketName: "walk-base",
	})
	step(w, "packages with vulnerabilities", w.packer.PackerServiceListBucketPackagesWithVulnerabilities, &packer.PackerServiceListBucketPackagesWithVulnerabilitiesParams{
		BucketName: "walk-base",
	})
	step(w, "vulnerabilities of a bucket", w.packer.PackerServiceListBucketVulnerabilities, &packer.PackerServiceListBucketVulnerabilitiesParams{
		BucketName: "walk-base",
	})
}

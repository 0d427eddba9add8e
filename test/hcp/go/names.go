package main

import (
	models "github.com/hashicorp/hcp-sdk-go/clients/cloud-packer-service/stable/2023-01-01/models"
)

type (
	artifactBody     = models.HashicorpCloudPacker20230101ArtifactCreateBody
	assignBody       = models.HashicorpCloudPacker20230101AssignChannelVersionBody
	bucketBody       = models.HashicorpCloudPacker20230101CreateBucketBody
	buildBody        = models.HashicorpCloudPacker20230101CreateBuildBody
	channelBody      = models.HashicorpCloudPacker20230101CreateChannelBody
	blockBody        = models.HashicorpCloudPacker20230101CreateEnforcedBlockBody
	blockVersionBody = models.HashicorpCloudPacker20230101CreateEnforcedBlockVersionBody
	registryBody     = models.HashicorpCloudPacker20230101CreateRegistryBody
	versionBody      = models.HashicorpCloudPacker20230101CreateVersionBody
	linkedBody       = models.HashicorpCloudPacker20230101ManageEnforcedBlockLinkedBucketsBody
	searchBody       = models.HashicorpCloudPacker20230101SearchExternalArtifactRequestBody
	bucketChange     = models.HashicorpCloudPacker20230101UpdateBucketBody
	buildChange      = models.HashicorpCloudPacker20230101UpdateBuildBody
	buildMetadata    = models.HashicorpCloudPacker20230101BuildMetadata
	channelChange    = models.HashicorpCloudPacker20230101UpdateChannelBody
	blockChange      = models.HashicorpCloudPacker20230101UpdateEnforcedBlockBody
	blockVersionDiff = models.HashicorpCloudPacker20230101UpdateEnforcedBlockVersionBody
	registryChange   = models.HashicorpCloudPacker20230101UpdateRegistryBody
	runTaskChange    = models.HashicorpCloudPacker20230101UpdateRunTaskConfigBody
	versionChange    = models.HashicorpCloudPacker20230101UpdateVersionBody
	sbomBody         = models.HashicorpCloudPacker20230101UploadSbomBody
)

var (
	running   = models.HashicorpCloudPacker20230101BuildStatusBUILDRUNNING.Pointer()
	done      = models.HashicorpCloudPacker20230101BuildStatusBUILDDONE.Pointer()
	failed    = models.HashicorpCloudPacker20230101BuildStatusBUILDFAILED.Pointer()
	unset     = models.HashicorpCloudPacker20230101BuildStatusBUILDUNSET.Pointer()
	hcl2      = models.HashicorpCloudPacker20230101TemplateTypeHCL2.Pointer()
	standard  = models.HashicorpCloudPacker20230101RegistryConfigTierSTANDARD.Pointer()
	plus      = models.HashicorpCloudPacker20230101RegistryConfigTierPLUS.Pointer()
	cycloneDX = models.HashicorpCloudPacker20230101SbomFormatCYCLONEDX.Pointer()
	warn      = models.HashicorpCloudPacker20230101RunTaskBehaviourWARN.Pointer()
)

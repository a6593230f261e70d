"""DICOM files as a layout: CT slices in any folders, with an optional ``lesions.csv``."""

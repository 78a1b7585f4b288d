namespace FastXen.Core.Translate;

/// <summary>What a floating-point load has to do with the ALAT (P1 of its IR).</summary>
internal enum FloatLoadForm : byte
{
    /// <summary>Nothing.</summary>
    Plain,

    /// <summary>Makes an entry.</summary>
    Advanced,

    /// <summary>Loads where there is no entry, else drops it.</summary>
    CheckClear,

    /// <summary>Loads and makes an entry where there is none.</summary>
    CheckNoClear,
}

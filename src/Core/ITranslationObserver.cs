namespace FastXen.Core;

/// <summary>Is told of host code as it is made, on the vCPU's thread.</summary>
public interface ITranslationObserver
{
    /// <summary>Code that all regions use.</summary>
    /// <param name="name">What it does.</param>
    /// <param name="address">Where it runs.</param>
    /// <param name="bytes">How long it is.</param>
    void OnStub(string name, nint address, int bytes);

    /// <summary>A region was translated; the object is good during the call only.</summary>
    void OnRegion(TranslatedRegion region);
}
